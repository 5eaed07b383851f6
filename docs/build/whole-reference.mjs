import { Converter, Logger, LogLevel } from "typedoc";

/**
 * What generated/ declares takes its comments from the spec and the generator, which leave out some fields and name
 * types that nobody needs to know. Only what is nested there may do without: each name that is exported has a comment.
 */
const GENERATED =
  /^\S+, defined in \S*generated\/\S+ is referenced by|^[\w/-]+\.\w+\.\S+ \(\w+\), defined in \S*generated\//;

class WarningCollector extends Logger {
  warnings = [];

  log(message, level) {
    if (level >= LogLevel.Warn && !GENERATED.test(message)) this.warnings.push(message);
  }
}

/** A TypeDoc plugin: fails the build when an exported name has no docblock, or a link in a docblock leads nowhere. */
export function wholeReference(app) {
  app.converter.on(Converter.EVENT_END, ({ project }) => {
    const { logger } = app;
    app.logger = new WarningCollector();
    app.validate(project);
    const { warnings } = app.logger;
    app.logger = logger;
    if (warnings.length > 0) throw new Error(`The API reference is not whole:\n${warnings.join("\n")}`);
  });
}

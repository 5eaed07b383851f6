/** What the library and Node.js say in the words of code, and how it is said on a command line. */
const WORDS: [said: RegExp, meant: string][] = [
  [/^Unknown option '(--?[a-z-]+)'.*$/is, "There is no option $1."],
  [/^Unknown option .*$/s, "There is no such option."], // It may be a secret in the wrong place.
  [/^Option '(?:-\w, )?(--\S+) <value>' argument missing$/, "$1 needs a value."],
  [
    /^Option '(?:-\w, )?(--\S+)' argument is ambiguous.*$/s,
    "$1 needs a value; one that starts with a dash is written $1=-VALUE.",
  ],
  [/^Option '(?:-\w, )?(--\S+)' does not take an argument$/, "$1 takes no value."],
  [
    / Pass the ID of the client, and the key as \{ apiKey \}\./,
    " The key goes into COMPLYCUBE_API_KEY or the file of --api-key-file.",
  ],
  [/ If you must, pass \{ allowAnyReferrer: true \}\./, ""],
  [/\bdangerouslyAllowPlainHttp or /, ""],
  [/, pass \{ allowReferrerPath: true \}\./, ", give --allow-referrer-path."],
  [/ Raise timeoutMs .*$/, ""],
  [/\b(P|p)ass \{ referrer: (".*?") \}/g, "$1ass --referrer $2"],
  [/\b(P|p)ass \{ appId: (".*?") \}/g, "$1ass --app-id $2"],
  [/^apiKey\b/, "The API key"],
  [/\bbaseUrl\b/g, "COMPLYCUBE_BASE_URL"],
  [/^clientId\b/, "CLIENT_ID"],
  [/^referrer\b/, "--referrer"],
  [/^appId\b/, "--app-id"],
  [/^pageUrl\b/, "PAGE_URL"],
  [/^referrerPolicy\b/, "--referrer-policy"],
  [/^token is not\b/, "This is not"],
];

/** Says a message of the library or of Node.js in the command line's own words. */
export function inOurWords(message: string): string {
  return WORDS.reduce((text, [said, meant]) => text.replace(said, meant), message);
}

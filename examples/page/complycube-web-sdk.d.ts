/** The error that the Web SDK reports. */
interface WebSdkError {
  type: string;
  message: string;
}

/** What the page uses of the Web SDK's options. */
interface WebSdkOptions {
  token: string;
  containerId: string;
  onComplete(): void;
  onError(error: WebSdkError): void;
}

/** The global that the Web SDK's script defines. */
declare const ComplyCube: { mount(options: WebSdkOptions): { unmount(): void } };

/** The error that the Web SDK reports. */
interface WebSdkError {
  type: string;
  message: string;
}

/** What the Web SDK has captured: the IDs that the backend's checks are made of. */
interface WebSdkCapture {
  documentCapture?: { documentId: string };
  faceCapture?: { livePhotoId: string };
}

/** What the page uses of the Web SDK's options. */
interface WebSdkOptions {
  token: string;
  containerId: string;
  onComplete(data: WebSdkCapture): void;
  onModalClose(): void;
  onError(error: WebSdkError): void;
}

/** The global that the Web SDK's script defines. */
declare const ComplyCube: {
  mount(options: WebSdkOptions): { updateSettings(settings: { token: string }): void; unmount(): void };
};

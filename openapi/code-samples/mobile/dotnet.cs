using ComplyCube.Net;
using ComplyCube.Net.Resources.SDKTokens;

var sdkTokenApi = new SDKTokenApi(new ComplyCubeClient("<YOUR_API_KEY>"));

// ComplyCube's own page leaves out "new SDKTokenRequest" and the semicolon; that does not compile.
var sdkTokenRequest = new SDKTokenRequest {
  clientId = "CLIENT_ID",
  appId = "com.sample.app"
};

var sdkToken = await sdkTokenApi.GenerateToken(sdkTokenRequest);

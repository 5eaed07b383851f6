use ComplyCube\ComplyCubeClient;

$ccapi = new ComplyCubeClient('<YOUR_API_KEY>');

// generate() guesses whether it was given a referrer or an app ID, and takes com.my-company.app for a referrer.
$token = $ccapi->tokens()->generateAppToken('CLIENT_ID', 'com.sample.app');

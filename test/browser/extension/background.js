// Empty on purpose: the test evaluates chrome.tabs.query inside this service worker.

// Starlight names its search button "Search", which leaves out the shortcut that it shows.
for (const button of document.querySelectorAll("button[data-open-modal]"))
  button.ariaLabel = button.textContent.trim().replace(/\s+/g, " ");

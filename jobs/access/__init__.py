"""Who calls over HTTP, and what all views have in common that answer: pages, REST and the dialects, of whichever room."""

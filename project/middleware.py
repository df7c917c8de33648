"""Middleware of the site."""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Progress bars and parts bars say their width in a style attribute.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


def content_security_policy(get_response):
    """Pages run the site's own scripts only. A view that sets a stricter policy (a user's file, sandboxed) keeps it."""

    def middleware(request):
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    return middleware

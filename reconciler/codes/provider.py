"""Codes of talking to a provider. Raised in `providers`."""

from __future__ import annotations

from typing import Final

from reconciler.codes.code import Code

__all__ = ["CODES"]

CODES: Final = (
    Code(
        code="provider-failed",
        stage="provider",
        meaning=(
            "The provider answered with an error of its own: HTTP 5xx (a read was tried four times), or a reply that "
            "reports no success."
        ),
        remedy="Read its sentence in the message. If it is an outage, try again later.",
    ),
    Code(
        code="provider-unreachable",
        stage="provider",
        meaning=(
            "No connection, or no whole answer to a read: the name can't be resolved, the port is closed, the "
            "certificate does not fit, or it took too long. Nothing was changed."
        ),
        remedy="Check `endpoint`, proxy and network; raise `requestTimeout` if the server is only slow.",
    ),
    Code(
        code="redirect",
        stage="provider",
        meaning=(
            "The provider answered with a redirect. It is not followed, so that credentials reach no other host; the "
            "request was not done."
        ),
        remedy="Put the final address into `endpoint`: https, the right host, no missing path.",
    ),
    Code(
        code="credentials",
        stage="provider",
        meaning=(
            "The provider does not accept the credentials (HTTP 401, 403), they lack a right, or reconciler.yaml has "
            "too few of them to log in."
        ),
        remedy="Check the secret, the project or account that it belongs to, and its rights.",
    ),
    Code(
        code="log-in-failed",
        stage="provider",
        meaning="The log-in server did not answer, or failed, several times; the request itself was not sent.",
        remedy="Check the address of the log-in (`endpoint`, for ModelArts `iamEndpoint`), and try again later.",
    ),
    Code(
        code="not-found",
        stage="provider",
        meaning="The provider says that it does not exist (HTTP 404, or its own code).",
        remedy=(
            "It may have been deleted meanwhile: plan again. Else an id, a path or `endpoint` in reconciler.yaml is "
            "wrong."
        ),
    ),
    Code(
        code="rate-limited",
        stage="provider",
        meaning=(
            "The provider asks us to slow down (HTTP 429), for longer than this run may wait or again and again. The "
            "request was not done."
        ),
        remedy="Lower `concurrency` of the provider, or try again later.",
    ),
    Code(
        code="rejected",
        stage="provider",
        meaning=(
            "The provider refused the request (HTTP 4xx); it was not done. With Theta also for want of quota or credit."
        ),
        remedy="Read its sentence in the message, and mend the spec.",
    ),
    Code(
        code="not-json",
        stage="provider",
        meaning=(
            "The answer is not what its status says: a proxy's page, or JSON without the parts that this API promises. "
            "It counts as no answer."
        ),
        remedy="Check `endpoint`, and what stands between.",
    ),
    Code(
        code="incomplete-list",
        stage="provider",
        meaning=(
            "The list ended before its own total, moved on every reading, or repeated a page. A part of a list proves "
            "nothing, so it counts as failed."
        ),
        remedy="Run it again. If it stays so, the message is worth a ticket at the provider.",
    ),
    Code(
        code="list-moved",
        stage="provider",
        meaning="The list changed on every reading, so it could not be read whole.",
        remedy="Run it again when less is going on.",
    ),
    Code(
        code="unexpected-reply",
        stage="provider",
        meaning="The answer lacks what this API promises.",
        remedy="Check that `endpoint` and `version` fit the server.",
    ),
    Code(
        code="unknown-outcome",
        stage="provider",
        meaning=(
            "A write may have landed: a timeout, a cut connection, a server error or an unreadable answer. It is not "
            "sent again before the live side was looked at."
        ),
        remedy="Run the same command again: it looks first.",
    ),
    Code(
        code="host-not-allowed",
        stage="provider",
        meaning=(
            "Credentials would go to a host that nobody outside the repository has named, or `apiEndpoint` of Theta is "
            "still the vendor's while `endpoint` is on this machine. Nothing was sent."
        ),
        remedy=(
            "Put the exact host (with its port, if it has one) into RECONCILER_ALLOW_HOSTS, outside the repository; or "
            "set `apiEndpoint` too."
        ),
        example="export RECONCILER_ALLOW_HOSTS=shop.run.ai,iam.example.com:8443",
    ),
    Code(
        code="https-only",
        stage="provider",
        meaning=(
            "The address is http and not of this machine, so credentials could be read on the way. Nothing was sent."
        ),
        remedy="Use https.",
    ),
)

"""The API of flask-tasks over HTTP; errors are `{"message": …}`, as its program has them."""

from django.http import HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response

from jobs.access.parsers import StorableJSONParser
from jobs.access.passwords import WINDOW, TooManyFailures, user_with_password
from jobs.access.views import CallerView, headers_of
from jobs.errors import InvalidAttribute
from jobs.functions.flasktasks import openapi
from jobs.functions.flasktasks.account import AccountLogin
from jobs.functions.flasktasks.keys import NoKeys
from jobs.functions.flasktasks.tasks import WrongArgument, create_task, find_task, task_document, unknown_document
from jobs.functions.flasktasks.tokens import JwtLogin, allowed_tasks, make_token
from jobs.functions.permissions import may_call
from jobs.functions.registry import UnknownFunction, functions, get_function


class AnyJSONParser(StorableJSONParser):
    """JSON, whatever the caller says that it is: curl says that of forms.

    Not so from a page: a browser sends a form, or a plain text, to any site that somebody's page names, and asks that site
    first (CORS) only where it is called JSON. What a page sends has an `Origin`.
    """

    media_type = "*/*"

    def parse(self, stream, media_type=None, parser_context=None):
        kind = (media_type or "").partition(";")[0].strip().lower()
        if "Origin" in parser_context["request"].headers and kind != "application/json":
            raise exceptions.UnsupportedMediaType(media_type, "a page must send its JSON as application/json")
        return super().parse(stream, media_type, parser_context)


class FlaskTasksView(CallerView):
    """What all of them have in common."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (AnyJSONParser,)
    changing_scope = "submit"
    open_to_all = True
    how_to_log_in = "authorization is needed: pass the header Authorization: Bearer <your JWT token>, from /token"

    def check_permissions(self, request):
        if not self.open_to_all:
            super().check_permissions(request)

    def get_authenticate_header(self, request):
        return JwtLogin().authenticate_header(request)

    def get_exception_handler(self):
        return _answer_for

    def body(self, request) -> dict:
        """The JSON object that was sent.

        Raises:
            ParseError: it is none.
        """
        if not isinstance(request.data, dict):
            raise exceptions.ParseError("the body must be a JSON object")
        return request.data


def _answer_for(error: Exception, context: dict) -> Response | None:
    if isinstance(error, WrongArgument):
        return Response({"message": str(error)}, status=404)
    if isinstance(error, NoKeys):
        return Response({"message": str(error)}, status=503)
    if isinstance(error, exceptions.APIException):
        return Response({"message": str(error.detail)}, status=error.status_code, headers=headers_of(error))
    return None


class Ping(FlaskTasksView):
    """`/ping`"""

    @openapi.call("ping", "Whether it is there", openapi.PingSerializer, examples=[openapi.PONG], secured=False)
    def get(self, request):
        return Response({"status": "online"})


class Tasks(FlaskTasksView):
    """`/tasks`"""

    @openapi.call(
        "list_functions", "All tasks and their arguments", openapi.TASKS, examples=[openapi.LISTED], secured=False
    )
    def get(self, request):
        return Response(
            {
                function.name: {
                    "require_authorization": not function.public,
                    "args": {one.name: one.type_text for one in function.signature.parameters},
                }
                for function in functions()
            }
        )


class NewTask(FlaskTasksView):
    """`POST /task`"""

    authentication_classes = (AccountLogin, JwtLogin)

    @openapi.call(
        "run_function",
        "A new task",
        openapi.FlaskTaskSerializer,
        request=openapi.NewFlaskTaskSerializer,
        errors=(400, 401, 404),
        examples=[openapi.ADD, openapi.MOV3D, openapi.ADDING],
    )
    def post(self, request):
        body = self.body(request)
        for name, kind, example in (("type", str, '"add"'), ("args", dict, '{"x": 1, "y": 2}')):
            if not isinstance(body.get(name), kind):
                raise exceptions.ParseError(f"{name} is missing, or of another type than in {example}")
        try:
            function = get_function(body["type"])
        except UnknownFunction:
            raise exceptions.NotFound(f"task type {body['type']} doesnt exist") from None
        self._check_right(request, function)
        job = create_task(request.user, function, body["args"], anonymous=request.auth is None)
        # As it was made: a worker may have it already.
        return HttpResponse(task_document(job), content_type="application/json")

    def _check_right(self, request, function) -> None:
        if not request.user.is_authenticated:
            raise exceptions.NotAuthenticated(self.how_to_log_in)
        if function.public:
            return
        if request.auth is None:
            raise exceptions.NotAuthenticated(self.how_to_log_in)
        if not request.auth["allowed_tasks"].get(function.name):
            raise exceptions.NotAuthenticated(f"this token does not open the task {function.name}")
        if not may_call(request.user, function):
            raise exceptions.NotAuthenticated(f"{request.user} may not run the task {function.name} any more")


class OneTask(FlaskTasksView):
    """`GET /task/<id>`"""

    authentication_classes = (JwtLogin,)

    @openapi.call(
        "read_function_task",
        "A task, and its result when it has one",
        openapi.FlaskTaskSerializer,
        errors=(401, 410),
        examples=[openapi.ADDED, openapi.ADDING, openapi.FAILED, openapi.UNKNOWN],
        secured=None,
    )
    def get(self, request, task_id: str):
        job = find_task(task_id, request.user)
        try:
            document = unknown_document(task_id) if job is None else task_document(job)
        except (OSError, InvalidAttribute):
            return Response({"message": f"the result of {task_id} is there no more"}, status=410)
        return HttpResponse(document, content_type="application/json")


class Protected(FlaskTasksView):
    """`/protected`"""

    authentication_classes = (JwtLogin,)
    open_to_all = False

    @openapi.call(
        "list_protected", "What this token opens", openapi.AllowedSerializer, errors=(401,), examples=[openapi.ALLOWED]
    )
    def get(self, request):
        now = allowed_tasks(request.user)
        opened = {name: True for name, allowed in request.auth["allowed_tasks"].items() if allowed and name in now}
        return Response({"allowed_tasks": opened, "exp": str(request.auth["exp"])})

    @openapi.call(
        "list_protected_by_post",
        "What this token opens",
        openapi.AllowedSerializer,
        errors=(401,),
        examples=[openapi.ALLOWED],
    )
    def post(self, request):
        return self.get(request)


class Token(FlaskTasksView):
    """`/token`"""

    @openapi.call(
        "read_token",
        "A token for a name and a password, sent as JSON like by POST",
        openapi.TokenAnswerSerializer,
        errors=(400, 401, 413, 503),
        examples=[openapi.TOKEN],
        secured=False,
    )
    def get(self, request):
        body = self.body(request)
        name, password = body.get("user"), body.get("password")
        if not isinstance(name, str) or not isinstance(password, str) or not password:
            raise exceptions.ParseError('user and password are needed: {"user": "ann", "password": "…"}')
        try:
            user = user_with_password(request, name, password)
        except TooManyFailures:
            raise exceptions.Throttled(WINDOW, "there were too many wrong passwords; try again later") from None
        if user is None:
            raise exceptions.AuthenticationFailed("user or password is wrong")
        token, expires = make_token(user)
        return Response({"token": token, "exp": str(expires)}, headers={"Cache-Control": "no-store"})

    @openapi.call(
        "make_token",
        "A token for a name and a password",
        openapi.TokenAnswerSerializer,
        request=openapi.LoginSerializer,
        errors=(400, 401, 503),
        examples=[openapi.LOGIN, openapi.TOKEN],
        secured=False,
    )
    def post(self, request):
        return self.get(request)

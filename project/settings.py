"""Settings of the Jobdeck site, all from the environment (12-factor) or the `.env` file beside `manage.py`.

`make run` supplies what a laptop needs; docs/ lists every variable.
"""

import os
import secrets
import sys
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from jobs.conf import DEFAULTS
from project.server.environment import LOOPBACK_HOSTS, ROOT, data_folder, read_secret_key

BASE_DIR = ROOT
env = environ.Env()
env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))  # what the environment says already stands

DATA_DIR = data_folder(os.environ)
DEBUG = env.bool("DEBUG", default=False)
JOBDECK_URL = env("JOBDECK_URL", default="").rstrip("/")

# Nothing that these two sign leaves their own process: the site's processes, which they start, use the data folder's
# key, and only the supervisor may make that, once it has the folder to itself.
STARTERS = ("run", "demo")

SECRET_KEY = env("SECRET_KEY", default="") or read_secret_key(DATA_DIR)
if not SECRET_KEY and sys.argv[1:2] and sys.argv[1] in STARTERS:
    SECRET_KEY = secrets.token_urlsafe(50)
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set, and there is no default. Set it in the environment or in .env, to a value of this "
        "site's own that stays the same and that nobody else knows; this makes one: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'. "
        f"'make run' makes its own and keeps it in DATA_DIR ({DATA_DIR / 'secret_key'})."
    )

SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])

ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=list(LOOPBACK_HOSTS))

INSTALLED_APPS = [
    "project",
    "jobs",
    "jobs.local",
    "jobs.condor",
    "jobs.functions",
    "jobs.farm",
    "jobs.schedules",
    "jobs.web",
    "jobs.api",
    "polymorphic",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "corsheaders",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "project.middleware.content_security_policy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# --- database ---------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'jobdeck.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers go on while one process writes; immediate transactions wait their turn at BEGIN instead of
    # failing half-way, where SQLite cannot wait (SQLITE_BUSY_SNAPSHOT).
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 60,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=60000;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Celery -----------------------------------------------------------------------------------------------------------

CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# A message is only a wake-up, so whoever sends one does not wait long for a broker that is away: the sweep sends again.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 0}
# A worker goes on trying to reach its broker for as long as it runs.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Seconds after which its timer thread looks up: an ending worker waits for that.
CELERY_WORKER_TIMER_PRECISION = 0.2
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
# Its queue is exclusive and named after the host: with it a second worker on a host could not start (RabbitMQ: 405).
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="") or env("AMQP_URL", default="") or "filesystem://localhost"
if CELERY_BROKER_URL.startswith("filesystem:"):
    # The embedded broker: messages are files in a folder. One process reads each queue; see project/broker.py.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {
        "data_folder_in": str(DATA_DIR / "broker"),
        "data_folder_out": str(DATA_DIR / "broker"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
        "store_processed": False,
        "polling_interval": 0.2,
    }
elif CELERY_BROKER_URL.startswith(("redis:", "rediss:", "sentinel:")):
    # Without these a server that takes connections and says nothing holds the sender for ever.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_connect_timeout": 2, "socket_timeout": 5}

# --- pages ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = env("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = env("STATIC_ROOT", default=None)  # only where another server is to serve what collectstatic collects
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
WHITENOISE_USE_FINDERS = True

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

# --- what is remembered for a while -----------------------------------------------------------------------------------

# Passwords that were right, wrong ones, and how often somebody asks are counted here: by each process for itself. With
# Django's own 300 entries a guesser would only have to try many names to have the counts thrown out.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}},
}

# --- other origins --------------------------------------------------------------------------------------------------------

# Pages of the front-end of flask-tasks may use its API, without cookies; '*' stands for all pages of the world.
FRONTEND_URL = env("FRONTEND_URL", default="").strip()
CORS_URLS_REGEX = r"^/(tasks|task|task/.*|protected|ping|token)$"
CORS_ALLOW_ALL_ORIGINS = FRONTEND_URL == "*"
CORS_ALLOWED_ORIGINS = []
if not CORS_ALLOW_ALL_ORIGINS:
    CORS_ALLOWED_ORIGINS = [url.strip().rstrip("/") for url in FRONTEND_URL.split(",") if url.strip()]

# --- the description of the APIs ----------------------------------------------------------------------------------------

REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}
SPECTACULAR_SETTINGS = {
    "TITLE": "Jobdeck",
    "DESCRIPTION": "Jobs that outlive a request: REST, and the APIs of other programs for their clients.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "jobs.farm.taskfarm.openapi.describe",
    ],
    "ENUM_NAME_OVERRIDES": {"StatusEnum": "jobs.status.Status", "ActionEnum": "jobs.models.Action"},
}

# Bytes of a body that is no upload, as docs/reference/rest.md says: a workflow of twenty thousand nodes has half of them.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000

# --- safety -----------------------------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = []
if JOBDECK_URL:
    public = urlsplit(JOBDECK_URL)
    if public.scheme not in ("http", "https") or not public.hostname:
        raise ImproperlyConfigured(f"JOBDECK_URL={JOBDECK_URL} is no address: give one like https://jobs.example.org")
    CSRF_TRUSTED_ORIGINS = [f"{public.scheme}://{public.netloc}"]
    name = f"[{public.hostname}]" if ":" in public.hostname else public.hostname
    if name not in ALLOWED_HOSTS:
        ALLOWED_HOSTS = [*ALLOWED_HOSTS, name]
    if public.scheme == "https":
        SESSION_COOKIE_SECURE = True
        CSRF_COOKIE_SECURE = True
        SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=3600)
if env.bool("BEHIND_PROXY", default=False):
    # Only where a proxy sets this header itself on every request: a client could claim it otherwise.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- logging ----------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"not_healthz": {"()": "project.logs.NotHealthz"}},
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "jobs": {"level": env("LOG_LEVEL", default="INFO")},
        # Django's own handlers say nothing where DEBUG is off, and mail nobody: let the root's have it.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"filters": ["not_healthz"]},
    },
}

# --- jobs -------------------------------------------------------------------------------------------------------------

# What the app `jobs` may be told; each key's meaning and default is in jobs/conf.py.
JOBS = {
    "DATA_DIR": DATA_DIR,
    "URL": JOBDECK_URL,
    "SHARED_FOLDERS": env("JOBDECK_SHARED_FOLDERS", default="").split(os.pathsep),
    # The name of taskscheduler.
    "AVAILABLE_SERVERS": [
        text.strip().rstrip("/") for text in env.list("AVAILABLE_SERVERS", default=[]) if text.strip()
    ],
    # The names of flask-tasks.
    "JWT_PRIVATE_PEM": env("JWT_PRIVATE_PEM", default=""),
    "JWT_PUBLIC_PEM": env("JWT_PUBLIC_PEM", default=""),
    "JWT_EXPIRE_SEC": env.int("JWT_EXPIRE_SEC", default=DEFAULTS["JWT_EXPIRE_SEC"]),
}
for key, default in DEFAULTS.items():
    # JOBDECK_LEASE=30 and the like; numbers are read as what the default is.
    variable = f"JOBDECK_{key}"
    if key not in JOBS and variable in os.environ and isinstance(default, str | int | float):
        try:
            JOBS[key] = env.get_value(variable, cast=type(default))
        except ValueError as error:
            kind = {int: "whole number", float: "number"}[type(default)]
            raise ImproperlyConfigured(f"{variable}={os.environ[variable]} is no {kind}") from error
CELERY_TASK_DEFAULT_QUEUE = JOBS.get("QUEUE", DEFAULTS["QUEUE"])

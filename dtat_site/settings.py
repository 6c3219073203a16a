"""Every setting once, with its meaning, unit and default. docs/configuration.md describes each variable."""

from __future__ import annotations

import socket
import sys
from datetime import timedelta
from pathlib import Path

from dtat_site import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where it runs ------------------------------------------------------------------------------------------------
# production refuses what is unsafe (checks.py); embedded is the whole product on one machine, on loopback or a LAN.
ENVIRONMENT = env.choice("DTAT_ENVIRONMENT", ["production", "embedded"], "production")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.flag("DTAT_DEBUG", default=False)
SECRET_KEY = env.secret("DTAT_SECRET_KEY")
JWT_KEY = env.secret("DTAT_JWT_KEY")  # its own key, so that rotating one leaves the other valid
ALLOWED_HOSTS = env.names("DTAT_ALLOWED_HOSTS", "" if PRODUCTION else "127.0.0.1,localhost,[::1]")
PUBLIC_URL = env.text("DTAT_PUBLIC_URL", "" if PRODUCTION else "http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_URL.startswith("https://") else []
DTAT_HOME = Path(env.text("DTAT_HOME", str(BASE_DIR / "var"))).resolve()
HTTPS = env.flag("DTAT_HTTPS", default=PRODUCTION)

# --- Apps ---------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "dtat_site.apps.SiteConfig",
    "dtat_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "axes",
    "csp",
    "audit.apps.AuditConfig",
    "tenants.apps.TenantsConfig",
    "ocr.apps.OcrConfig",
    "review.apps.ReviewConfig",
]
MIDDLEWARE = [
    "dtat_site.logs.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dtat_site.language.Language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dtat_site.private.NoStore",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "dtat_site.urls"
WSGI_APPLICATION = "dtat_site.wsgi.application"
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
                "review.views.chrome",
            ],
        },
    },
]

# --- Database -----------------------------------------------------------------------------------------------------
# DATABASE_URL is the app role, which owns nothing; `migrate` runs as the owner (DATABASE_OWNER_URL). See docs/architecture.md.
_OWNER_COMMANDS = {"migrate"}
_AS_OWNER = len(sys.argv) > 1 and sys.argv[1] in _OWNER_COMMANDS and Path(sys.argv[0]).name == "manage.py"
_DATABASE = env.database("DATABASE_OWNER_URL" if _AS_OWNER else "DATABASE_URL")
# A network that went away is noticed within half a minute instead of after hours; the URL may say otherwise. Seconds, the last in ms.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
DATABASES = {
    "default": {
        **_DATABASE,
        "ENGINE": "dtat_site.pooled",
        "OPTIONS": {**_NETWORK, **_DATABASE["OPTIONS"]},
        "POOL": {
            "most": env.number("DTAT_DATABASE_CONNECTIONS", 8, at_least=2),  # of each process, whatever its threads
            "seconds": env.number("DTAT_DATABASE_CONNECTION_SECONDS", 600),
        },
        "CONN_MAX_AGE": 0,  # after each request a connection goes back to the pool
        "DISABLE_SERVER_SIDE_CURSORS": True,  # scopes are transactions; a pooler may sit in between
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Signing in ---------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "dtat_site.sessions.PersonBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "queue"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "429.html"

# --- Browser security ---------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_ENGINE = "dtat_site.sessions"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600  # seconds: one working day
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # a load balancer asks over plain HTTP
if env.flag("DTAT_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Language and static files ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"  # of everything that is no answer to a person: workers, commands, what is stored
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
DEFAULT_LANGUAGE = env.choice(
    "DTAT_LANGUAGE_CODE", [code for code, _name in LANGUAGES], "en"
)  # for whom no browser asks
LANGUAGE_COOKIE_AGE = 365 * 86_400  # seconds
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["dtat_site.formats"]
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = USE_THOUSAND_SEPARATOR = True
STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("DTAT_STATIC_ROOT", str(DTAT_HOME / "static"))).resolve()
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

# --- Storage of documents -----------------------------------------------------------------------------------------
# files: below DTAT_HOME. s3: DTAT_BUCKET, encrypted with DTAT_KMS_KEY_ID, versioned by the bucket.
STORAGE = env.choice("DTAT_STORAGE", ["files", "s3"], "files")
BUCKET = env.text("DTAT_BUCKET", "local")
KMS_KEY_ID = env.text("DTAT_KMS_KEY_ID", "")
DOCUMENTS_ROOT = DTAT_HOME / "documents"
# What manifests of batches may name: tenant:bucket or tenant:bucket/prefix (ocr/sources.py). Without S3 buckets are folders.
MANIFEST_BUCKETS = env.names("DTAT_MANIFEST_BUCKETS", "" if PRODUCTION else "*:{tenant}")
IMPORTS_ROOT = Path(env.text("DTAT_IMPORTS", str(DTAT_HOME / "imports"))).resolve()
FILE_UPLOAD_TEMP_DIR = str(DTAT_HOME / "uploads")  # private, and swept at start: a killed worker leaves files (F14)
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024  # larger ones to disk; each of DTAT_WEB_THREADS may hold so much
FILE_UPLOAD_HANDLERS = ["ocr.disk.SmallFiles", "ocr.disk.LargeFiles"]
DISK_FLOOR_MIB = env.number(
    "DTAT_DISK_FLOOR_MIB", 2048, at_least=0
)  # uploads are refused below; at most 5 % of a volume
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
STORAGES = {
    "documents": {
        "BACKEND": "ocr.aws.DocumentBucket" if STORAGE == "s3" else "ocr.artifacts.DurableFiles",
        "OPTIONS": {}
        if STORAGE == "s3"
        else {
            "location": str(DOCUMENTS_ROOT),
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    },
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(DOCUMENTS_ROOT)}},
    "staticfiles": {"BACKEND": "dtat_site.static.HashedModules"},
}

# --- AWS ----------------------------------------------------------------------------------------------------------
AWS_REGION = env.text("AWS_REGION", env.text("AWS_DEFAULT_REGION", "us-east-1"))
TEXTRACT_ENDPOINT = env.text("AWS_ENDPOINT_URL_TEXTRACT", "")  # the local endpoint; empty means AWS
WITNESS_URL = env.text("DTAT_WITNESS_URL", "")  # another endpoint of that kind, which reads pieces of pages again
POLL_FIRST_SECONDS = env.number("DTAT_POLL_FIRST_SECONDS", 1 if TEXTRACT_ENDPOINT else 3, at_least=1)
POLL_MOST_SECONDS = env.number("DTAT_POLL_MOST_SECONDS", 3 if TEXTRACT_ENDPOINT else 60, at_least=1)
# One page that somebody waits for is read by Textract's synchronous operation; off: everything is asynchronous.
SYNCHRONOUS = env.flag("DTAT_SYNCHRONOUS", default=True)
TEXTRACT_TPS = env.number(
    "DTAT_TEXTRACT_TPS", 0, at_least=0
)  # calls a second for every operation; 0: the region's presets
QUOTA_SHARE = env.number("DTAT_QUOTA_PERCENT", 99, at_least=1) / 100  # how much of what AWS grants is used
# Word of jobs that have ended: Textract tells the topic, as the role; the queue is subscribed to it. All three, or none.
TEXTRACT_TOPIC = env.text("DTAT_TEXTRACT_TOPIC", "")
TEXTRACT_ROLE = env.text("DTAT_TEXTRACT_ROLE", "")
TEXTRACT_NOTICES = env.text("DTAT_TEXTRACT_NOTICES", "")
EVENT_BUS = env.text("DTAT_EVENT_BUS", "")  # EventBridge bus that gets the events; empty: they stay in the outbox
TEXTRACT_READ_SECONDS = env.number("DTAT_TEXTRACT_READ_SECONDS", 20, at_least=1)

# --- The work queue -----------------------------------------------------------------------------------------------
# Values and their reasons: docs/decisions/0003. The queue is a doorbell; the document row is the truth.
# One cluster for each priority (`manage.py workers high`); that of low priority also runs the chores beside its reader.
LANES = {
    "high": env.number("DTAT_WORKERS_HIGH", 1, at_least=1),
    "normal": env.number("DTAT_WORKERS_NORMAL", 1, at_least=1),
    "low": env.number("DTAT_WORKERS_LOW", 2, at_least=2),
}
HOST_NAME = env.text("DTAT_HOST_NAME", socket.gethostname())  # what this machine's signs of life are filed under
TASK_SECONDS = env.number("DTAT_TASK_SECONDS", 300, at_least=5)  # a task is killed after this
LEASE_SECONDS = env.number("DTAT_LEASE_SECONDS", 45, at_least=2)  # a dead worker's document is taken over after this
READER_CALLS = env.number("DTAT_READER_CALLS", 100, at_least=1)  # calls to Textract that one reader holds at a time
READER_SECONDS = env.number(
    "DTAT_READER_SECONDS", 240, at_least=1
)  # a reader claims for so long, then another one follows
READER_DRAIN_SECONDS = env.number("DTAT_READER_DRAIN_SECONDS", 25, at_least=1)  # and waits so long for what is out
MAX_ATTEMPTS = env.number("DTAT_MAX_ATTEMPTS", 8, at_least=1)  # failures of one document before it is `failed`
BROKER = env.choice("DTAT_BROKER", ["database", "redis", "sqs"], "database")
REDIS_URL = env.text("DTAT_REDIS_URL", "")
QUEUE_PREFIX = env.text("DTAT_QUEUE_PREFIX", "dtat")  # names of SQS queues: prefix-high, prefix-normal, prefix-low
Q_CLUSTER = {
    "name": "dtat",
    "broker_class": f"ocr.brokers.{BROKER}.Bells",
    "orm": "default",
    "redis": REDIS_URL or {},
    "sqs": {"aws_region": AWS_REGION, "receive_message_wait_time_seconds": 2},  # seconds: bounds stopping, too
    "workers": LANES["low"],
    "queue_limit": 1,  # with prefetch the retry clock starts before the task does
    "bulk": 1,
    "timeout": TASK_SECONDS,
    "retry": env.number("DTAT_QUEUE_RETRY_SECONDS", 800, at_least=1),
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "catch_up": False,
    "recycle": 200,
    "poll": 0.2,
    "scheduler": False,
    "label": "Tasks",
    "error_reporter": {},
}

# --- Overload -----------------------------------------------------------------------------------------------------
WEB_THREADS = env.number("DTAT_WEB_THREADS", 256, at_least=17)  # of each web process; made when they are needed
WAITING_MOST = WEB_THREADS - 16  # so many of them may wait in POST /ocr, which leaves threads for everybody else
BACKLOG_MOST = env.number("DTAT_BACKLOG_MOST", 50_000, at_least=1)  # documents with work to do; above, uploads get 503
BACKLOG_TENANT_MOST = env.number("DTAT_BACKLOG_TENANT_MOST", 25_000, at_least=1)  # the same for one tenant: 429

# --- REST ---------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "ocr.api.auth.ApiKeyAuthentication",
        "ocr.api.auth.TokenAuthentication",
        "ocr.api.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ocr.api.parsing.Json"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "ocr.api.problems.answer",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=10),
    "REFRESH_TOKEN_LIFETIME": timedelta(hours=12),
    "SIGNING_KEY": JWT_KEY,
    "ALGORITHM": "HS256",
    "AUDIENCE": "dtat",
    "CHECK_REVOKE_TOKEN": True,  # a changed password ends every token
    "UPDATE_LAST_LOGIN": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DTAT-OCR",
    "DESCRIPTION": "Documents in, trustworthy data out. Errors are application/problem+json; every POST honours Idempotency-Key.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["ocr.api.jobs.without_closing_slash"],
    "ENUM_NAME_OVERRIDES": {  # several fields are called status
        "DocumentStatus": "ocr.models.Status.values",
        "BatchStatus": "ocr.models.Batch.Status",
        "JobStatus": ["queued", "processing", "needs_review", "completed", "failed"],
    },
}

# --- Reviewing ----------------------------------------------------------------------------------------------------
ASIDE_SECONDS = env.number(
    "DTAT_ASIDE_SECONDS", 900, at_least=1
)  # who set a document aside is not handed it for so long
REVIEW_SECONDS = env.number(
    "DTAT_REVIEW_SECONDS", 3600, at_least=60
)  # after so long a document that waits for a person is late
COMMENT_DAYS = env.number(
    "DTAT_COMMENT_DAYS", 0, at_least=0
)  # the text of comments is emptied after so many days; 0: it stays as long as the document
UNDO_SECONDS = env.number(
    "DTAT_UNDO_SECONDS", 6, at_least=0
)  # a decision made in the page can be taken back for so long
CLAIM_SECONDS = env.number("DTAT_CLAIM_SECONDS", 120, at_least=5)  # without a heartbeat the document is free again
IDEMPOTENCY_DAYS = 7

# --- Watching it --------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.text("DTAT_METRICS_TOKEN", "")  # who sends it as a Bearer token may read /metrics

# --- Logs ---------------------------------------------------------------------------------------------------------
LOG_LEVEL = env.choice("DTAT_LOG_LEVEL", ["DEBUG", "INFO", "WARNING", "ERROR"], "INFO")
LOG_FORMAT = env.choice("DTAT_LOG_FORMAT", ["json", "text"], "json" if PRODUCTION else "text")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "dtat_site.logs.JsonLines"}, "text": {"()": "dtat_site.logs.TextLines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "dtat": {"level": LOG_LEVEL},
        # Libraries at WARNING: botocore's DEBUG lines hold the document's bytes, django-q2's INFO lines the arguments.
        "django": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "django.server": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "django-q": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "botocore": {"level": "WARNING"},
        "boto3": {"level": "WARNING"},
        "urllib3": {"level": "WARNING"},
        "axes": {"level": "ERROR"},
    },
}

"""Every address. Names are fixed: templates, scripts and links in stored results use them."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path
from django.urls.converters import UUIDConverter
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from dtat_site import health
from ocr import batch_views as batches
from ocr import type_views as types
from ocr import views as documents
from ocr.api import jobs
from ocr.api.problems import Nowhere
from review import api as review_api
from review import lane_views as lanes
from review import views as review

ONE = "documents/<uuid:document_id>/"
A_BATCH = "batches/<uuid:batch_id>/"
AT_REVIEW = "review/<uuid:document_id>/"
A_LANE = "lanes/<slug:document_type>/<slug:field>/"

urlpatterns = [
    path("", review.home, name="home"),
    path("login/", LoginView.as_view(template_name="login.html", redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("language/", set_language, name="set_language"),
    path("queue/", review.queue, name="queue"),
    path("keys/", review.keys, name="keys"),
    path("queue/assign/", review.assign, name="queue-assign"),
    path("lanes/", lanes.lane_list, name="lanes"),
    path("lanes/heartbeat/", lanes.Heartbeat.as_view(), name="lanes-heartbeat"),
    path("lanes/release/", lanes.Release.as_view(), name="lanes-release"),
    path(A_LANE, lanes.lane_page, name="lane"),
    path(f"{A_LANE}rows/", lanes.Rows.as_view(), name="lane-rows"),
    path(f"{A_LANE}answers/", lanes.Answers.as_view(), name="lane-answers"),
    path(f"{A_LANE}take-back/", lanes.TakeBack.as_view(), name="lane-take-back"),
    path("keys/keep/", review_api.Keys.as_view(), name="keys-keep"),
    path("review/next/", review.review_next, name="review-next"),
    path(AT_REVIEW, review.review, name="review"),
    path(f"{AT_REVIEW}opened/", review_api.PageOpened.as_view(), name="review-opened"),
    path(f"{AT_REVIEW}ahead/", review_api.PageAhead.as_view(), name="review-ahead"),
    path(f"{AT_REVIEW}heartbeat/", review_api.PageHeartbeat.as_view(), name="review-heartbeat"),
    path(f"{AT_REVIEW}draft/", review_api.PageDraft.as_view(), name="review-draft"),
    path(f"{AT_REVIEW}decision/", review_api.PageDecision.as_view(), name="review-decision"),
    path(f"{AT_REVIEW}aside/", review_api.PageAside.as_view(), name="review-aside"),
    path(f"{AT_REVIEW}escalate/", review_api.PageEscalation.as_view(), name="review-escalate"),
    path(f"{AT_REVIEW}comment/", review_api.PageComment.as_view(), name="review-comment"),
    path(f"{AT_REVIEW}answer/", review_api.PageAnswer.as_view(), name="review-answer"),
    path(f"{AT_REVIEW}take-over/", review.take_over, name="review-take-over"),
    path(f"{AT_REVIEW}undo/", review_api.PageUndo.as_view(), name="review-undo"),
    path(f"{AT_REVIEW}pages/<int:number>/turn/", review_api.PageTurn.as_view(), name="review-turn"),
    path(f"{AT_REVIEW}release/", review_api.PageRelease.as_view(), name="review-release"),
    path("documents/", documents.documents, name="documents"),
    path("documents/upload/", documents.upload, name="document-upload"),
    path(ONE, review.document, name="document"),
    path(f"{ONE}original/", documents.original, name="document-original"),
    path(f"{ONE}result/", documents.result, name="document-result"),
    path(f"{ONE}raw/", documents.raw, name="document-raw"),
    path(f"{ONE}pages/<int:number>/image/", documents.page_image, name="page-image"),
    path(f"{ONE}pages/<int:number>/crop/", documents.page_crop, name="page-crop"),
    path(f"{ONE}pages/<int:number>/words/", review.page_words, name="page-words"),
    path(f"{ONE}reopen/", review.reopen, name="document-reopen"),
    path(f"{ONE}retry/", review.retry, name="document-retry"),
    path(f"{ONE}replay/", review.replay, name="document-replay"),
    path(f"{ONE}split/", review.split, name="document-split"),
    path("batches/", batches.batch_list, name="batches"),
    path(A_BATCH, batches.batch, name="batch"),
    path(f"{A_BATCH}progress/", batches.batch_progress, name="batch-progress"),
    path(f"{A_BATCH}results/", batches.batch_results, name="batch-results"),
    path(f"{A_BATCH}pause/", batches.batch_pause, name="batch-pause"),
    path(f"{A_BATCH}resume/", batches.batch_resume, name="batch-resume"),
    path(f"{A_BATCH}cancel/", batches.batch_cancel, name="batch-cancel"),
    path("document-types/", types.type_list, name="document-types"),
    path("document-types/new-type/", types.new_type, name="new-document-type"),
    path("document-types/<slug:name>/", types.one_type, name="a-document-type"),
    path("document-types/<slug:name>/yaml/", types.type_yaml, name="a-document-type-yaml"),
    path("dashboard/", review.dashboard, name="dashboard"),
    path("api/v1/", include("ocr.api.urls")),
    path(f"api/v1/{ONE}review/", review_api.Review.as_view(), name="api-review"),
    path(f"api/v1/{ONE}reopen/", review_api.Reopen.as_view(), name="api-reopen"),
    path(f"api/v1/{ONE}retry/", review_api.Retry.as_view(), name="api-retry"),
    path(f"api/v1/{ONE}replay/", review_api.Replay.as_view(), name="api-replay"),
    path(f"api/v1/{ONE}split/", review_api.Split.as_view(), name="api-split"),
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="api-schema", template_name="api_docs.html"),
        name="api-docs",
    ),
    # With and without a slash at the end: a redirect would lose what was posted.
    re_path("^ocr/?$", jobs.Recognise.as_view(), name="ocr"),
    re_path("^ocr/async/?$", jobs.Jobs.as_view(), name="ocr-async"),
    re_path(f"^ocr/jobs/(?P<job_id>{UUIDConverter.regex})/?$", jobs.Job.as_view(), name="ocr-job"),
    re_path("^ocr/queue/?$", jobs.Queue.as_view(), name="ocr-queue"),
    re_path("^(?:api/(?:.*/)?|ocr/.*)$", Nowhere.as_view(), name="api-nowhere"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
]

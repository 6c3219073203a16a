from django.urls import path

from ocr.api import batches, costs, tokens, views

urlpatterns = [
    path("token/", tokens.Obtain.as_view(), name="api-token"),
    path("token/refresh/", tokens.Refresh.as_view(), name="api-token-refresh"),
    path("tenants/", views.Tenants.as_view(), name="api-tenants"),
    path("documents/", views.Documents.as_view(), name="api-documents"),
    path("documents/<uuid:document_id>/", views.OneDocument.as_view(), name="api-document"),
    path("documents/<uuid:document_id>/result/", views.Result.as_view(), name="api-result"),
    path("documents/<uuid:document_id>/raw/", views.Raw.as_view(), name="api-raw"),
    path("documents/<uuid:document_id>/original/", views.Original.as_view(), name="api-original"),
    path("documents/<uuid:document_id>/pages/<int:number>/image/", views.PageImage.as_view(), name="api-page-image"),
    path("documents/<uuid:document_id>/audit/", views.Timeline.as_view(), name="api-audit"),
    path("estimate/", costs.Estimate.as_view(), name="api-estimate"),
    path("costs/", costs.Costs.as_view(), name="api-costs"),
    path("batches/", batches.Batches.as_view(), name="api-batches"),
    path("batches/<uuid:batch_id>/", batches.OneBatch.as_view(), name="api-batch"),
    path("batches/<uuid:batch_id>/items/", batches.Items.as_view(), name="api-batch-items"),
    path("batches/<uuid:batch_id>/results/", batches.Results.as_view(), name="api-batch-results"),
    path("batches/<uuid:batch_id>/pause/", batches.Pause.as_view(), name="api-batch-pause"),
    path("batches/<uuid:batch_id>/resume/", batches.Resume.as_view(), name="api-batch-resume"),
    path("batches/<uuid:batch_id>/cancel/", batches.Cancel.as_view(), name="api-batch-cancel"),
]

-- One row for each stored answer of `answers` (number, key, sha256, size_bytes): the document as it waits for a person, its page, its
-- extraction and the artifact. Run by the superuser, without triggers and foreign keys; the trail of what is never applied is not asked for.
SET session_replication_role = replica;

CREATE TEMPORARY TABLE made AS
SELECT number, key, sha256, size_bytes, id, (SELECT id FROM tenants_tenant ORDER BY slug LIMIT 1) AS tenant_id,
       now() - interval '1 day' + number * interval '1 second' AS received_at
  FROM jsonb_to_recordset(%(answers)s::jsonb) AS answer(number int, id uuid, key text, sha256 text, size_bytes int);

INSERT INTO ocr_document (
    id, tenant_id, status, version, priority, document_type_id, type_given, external_id, filename, metadata, source, received_by,
    request_id, content_type, size_bytes, sha256, page_count, duplicate_of, received_at, turn_at, status_at, read_at, finished_at,
    step, operation, due_at, lease_until, fence, attempts, error_code, problems, review_reasons, straight_through,
    decision, decision_reason, reviewer, decided_at)
SELECT id, tenant_id, 'needs_review', 3, 1, NULL, false, '', 'page-' || number || '.png', '{}', 'api', 'key:archive', '', 'image/png',
       90000, sha256, 1, NULL, received_at, received_at, received_at, received_at, NULL, '', '', NULL, NULL, 2, 0, '', '[]', '[]', false,
       '', '', '', NULL
  FROM made;

INSERT INTO ocr_page (tenant_id, document_id, number, rotation, width, height, image_sha256)
SELECT tenant_id, id, 1, 0, 1240, 1754, '' FROM made;

INSERT INTO ocr_extraction (
    tenant_id, document_id, number, state, operation, features, token, job_id, model_version, pages, warnings, polls, parts,
    next_token, sent_fence, started_at, collected_at, charge_uncertain, reused_from, micro_dollars, estimate_micro_dollars)
SELECT tenant_id, id, 1, 'collected', 'AnalyzeDocument', '["FORMS"]', md5(id::text), '', '1.0', 1, '[]', 1, 1, '', 0, received_at,
       received_at, false, NULL, 65000, 0
  FROM made;

INSERT INTO ocr_artifact (tenant_id, document_id, kind, number, part, key, sha256, size_bytes, content_type, created_at)
SELECT tenant_id, id, 'raw', 1, 1, key, sha256, size_bytes, 'application/json', received_at FROM made;

DROP TABLE made;

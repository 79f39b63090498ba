DROP FUNCTION private.sample_72_document_chunks;
DROP TABLE public.document_chunks;

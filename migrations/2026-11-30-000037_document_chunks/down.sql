DROP TABLE public.document_chunks;

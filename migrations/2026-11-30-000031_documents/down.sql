-- The bytes stay where they are, and nobody can read them any more: their keys go with the table.
DROP TABLE public.documents;
DROP FUNCTION public.issued_document_is_fixed;

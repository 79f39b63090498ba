DROP TABLE public.import_rejections, public.imports;

-- A form that was sent before is a new one from here on.
DROP TABLE public.sent_forms;

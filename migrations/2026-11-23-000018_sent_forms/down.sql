-- A form that was sent before is a new one from here on.
DROP FUNCTION public.answer_form, public.send_form;
DROP TABLE public.sent_forms;

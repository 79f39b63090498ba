DROP TABLE public.messages;
DROP FUNCTION public.sent_message_is_fixed;

DROP TABLE public.chat_messages, public.chat_sessions;

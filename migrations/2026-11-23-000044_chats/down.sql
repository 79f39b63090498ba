DROP FUNCTION private.sample_74_chats;
DROP TABLE public.chat_messages, public.chat_sessions;
DROP PROCEDURE private.protect_own;

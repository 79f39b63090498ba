-- Jobs, done and waiting, and the record of system work go with it; the audit logs keep theirs.
DROP FUNCTION private.sample_60_system_work;
DROP FUNCTION public.open_operator_work, public.open_system_work, public.begin_system_work, public.finish_job, public.put_down_job, public.keep_job,
    public.open_job_context, public.claim_job, public.queue_job;
DROP TABLE public.system_work, public.jobs;

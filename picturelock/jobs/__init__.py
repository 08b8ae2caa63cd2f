"""What a job is: the stages, its status and progress, its warnings, its archive and webhooks."""

# The jobs: one image, a subcommand each.
variable "jobs" {
  description = "What runs as a job. The first argument is the subcommand, by default the job's name."
  type = map(object({
    args = optional(list(string))
    # Runs as the role that owns the tables; else as a member of admin_api_NAME.
    as_owner         = optional(bool, false)
    cpu              = optional(string, "1")
    env              = optional(map(string), {})
    memory           = optional(string, "512Mi")
    publishes        = optional(bool, false)
    retries          = optional(number, 0)
    schedule         = optional(string)
    secrets          = optional(list(string), [])
    secrets_optional = optional(list(string), [])
    timeout_seconds  = optional(number, 300)
  }))
  nullable = false

  default = {
    # By hand, with its own arguments: see the README, "Deploy".
    create-admin = { as_owner = true, secrets_optional = ["FIRST_ADMIN_PASSWORD"] }
    # The first fold counts all scans there are, and goes on where it was stopped.
    fold    = { schedule = "* * * * *", timeout_seconds = 3600 }
    measure = { schedule = "* * * * *", timeout_seconds = 60, secrets_optional = ["OTEL_EXPORTER_OTLP_HEADERS"] }
    # At a deploy; its arguments grant each login its group role. An index beside the running production may take long.
    migrate = { as_owner = true, timeout_seconds = 86400 }
    # By hand: which entries may go is a decision, and an absolute date. `--before` has no value that a schedule could repeat.
    prune = { as_owner = true, timeout_seconds = 3600 }
    relay = { schedule = "* * * * *", publishes = true }
    seal  = { schedule = "* * * * *", secrets = ["AUDIT_SIGNING_KEY"] }
    # By hand; exit code 3 without a public key is no failure, so nothing is retried.
    verify = { timeout_seconds = 3600 }
  }

  validation {
    condition     = alltrue([for name in keys(var.jobs) : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", name))])
    error_message = "A job's name must be 1 to 20 of a-z, 0-9 and -, from a letter."
  }
  validation {
    condition     = alltrue([for j in values(var.jobs) : j.schedule == null || can(regex("^\\S+ \\S+ \\S+ \\S+ \\S+$", j.schedule))])
    error_message = "schedule must be five fields of cron."
  }
  validation {
    condition     = alltrue([for j in values(var.jobs) : j.timeout_seconds >= 10 && j.timeout_seconds <= 604800])
    error_message = "timeout_seconds must be 10 to 604800 (7 days)."
  }
  validation {
    condition     = alltrue([for j in values(var.jobs) : j.schedule == null || !j.as_owner])
    error_message = "What a schedule runs must not own the tables."
  }
  validation {
    condition     = length(setintersection(keys(var.jobs), keys(var.functions))) == 0
    error_message = "A job must not have the name of a function: both become service accounts."
  }
}

variable "agent" {
  description = "The Pub/Sub service agent, as an IAM member: it moves messages to the dead-letter topic."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.agent, "serviceAccount:")
    error_message = "agent must be a serviceAccount:… member."
  }
}

variable "subscription" {
  description = "What is pushed where, and as whom."
  type = object({
    # Also how long Pub/Sub waits for the answer to a push.
    ack_deadline_seconds = optional(number, 60)
    # Of the token: the URL of the service, without the path.
    audience = string
    # Where a message goes after so many attempts; null for the subscription of a dead-letter topic itself, which tries for ever.
    dead_letters = optional(object({
      after_attempts = number
      topic          = string
    }))
    maximum_backoff = optional(number, 600)
    minimum_backoff = optional(number, 10)
    name            = string
    push_account    = string
    push_endpoint   = string
    retention_days  = optional(number, 7)
    topic           = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$", var.subscription.name)) && !startswith(var.subscription.name, "goog")
    error_message = "name must be 3 to 255 of letters, digits and -._~+%, from a letter, and not begin with goog."
  }
  validation {
    condition     = var.subscription.ack_deadline_seconds >= 10 && var.subscription.ack_deadline_seconds <= 600
    error_message = "ack_deadline_seconds must be 10 to 600."
  }
  validation {
    condition = (
      var.subscription.dead_letters == null ? true : var.subscription.dead_letters.after_attempts >= 5 &&
      var.subscription.dead_letters.after_attempts <= 100
    )
    error_message = "dead_letters.after_attempts must be 5 to 100."
  }
  validation {
    condition = (
      var.subscription.minimum_backoff >= 0 &&
      var.subscription.maximum_backoff <= 600 &&
      var.subscription.minimum_backoff <= var.subscription.maximum_backoff
    )
    error_message = "The backoff must lie within 0 to 600 seconds."
  }
  validation {
    condition = (
      startswith(var.subscription.push_endpoint, "${var.subscription.audience}/") &&
      startswith(var.subscription.audience, "https://")
    )
    error_message = "push_endpoint must be a path of the https:// service that the token is for."
  }
  validation {
    condition     = endswith(var.subscription.push_account, ".iam.gserviceaccount.com")
    error_message = "push_account must be a service account."
  }
  validation {
    condition     = var.subscription.retention_days >= 1 && var.subscription.retention_days <= 31
    error_message = "retention_days must be 1 to 31."
  }
}

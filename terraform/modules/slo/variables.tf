variable "alerts" {
  description = "Who is told when the error budget burns, and what to do then."
  type = object({
    channels    = list(string)
    runbook_url = string
  })
  nullable = false
}

variable "service" {
  description = "The id of the Monitoring service that the objective belongs to."
  type        = string
  nullable    = false
}

variable "slo" {
  description = "The objective: either that requests to a Cloud Run service do not end with 5xx, or that a distribution stays below a limit."
  type = object({
    availability_of = optional(string)
    display_name    = string
    goal            = number
    id              = string
    latency = optional(object({
      metric    = string
      within_ms = number
    }))
  })
  nullable = false

  validation {
    condition     = (var.slo.availability_of == null) != (var.slo.latency == null)
    error_message = "An objective is about either availability or latency."
  }
  validation {
    condition     = var.slo.goal >= 0.5 && var.slo.goal <= 0.9999
    error_message = "goal must be 0.5 to 0.9999: 1 leaves no budget, and every error would be an alarm."
  }
  validation {
    condition     = can(regex("^[a-z0-9-]{1,63}$", var.slo.id))
    error_message = "id must be 1 to 63 of a-z, 0-9 and -."
  }
}

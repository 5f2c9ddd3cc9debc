variable "image" {
  description = "The container image, with a digest or a tag of its own."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9._-]*)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must end with a digest or a tag, and not with :latest, which means another image tomorrow."
  }
}

variable "is_protected" {
  description = "Whether Terraform refuses to destroy the job."
  type        = bool
  default     = true
}

variable "job" {
  description = "What the job is: an entry of the catalog's `jobs`."
  type = object({
    args            = list(string)
    cpu             = string
    env             = map(string)
    memory          = string
    name            = string
    retries         = number
    schedule        = optional(string)
    scheduler       = string
    secret_files    = map(object({ secret = string, version = string }))
    secrets         = map(object({ secret = string, version = string }))
    service_account = string
    timeout_seconds = number
  })
  nullable = false

  validation {
    condition     = can(regex("^[a-z]([a-z0-9-]{0,61}[a-z0-9])$", var.job.name))
    error_message = "name must be 2 to 63 of a-z, 0-9 and -, from a letter."
  }
  validation {
    condition     = endswith(var.job.scheduler, ".iam.gserviceaccount.com") && endswith(var.job.service_account, ".iam.gserviceaccount.com")
    error_message = "scheduler and service_account must be service accounts."
  }
  validation {
    condition     = var.job.timeout_seconds >= 10 && var.job.timeout_seconds <= 604800
    error_message = "timeout_seconds must be 10 to 604800 (7 days)."
  }
  validation {
    condition = alltrue([
      for it in concat(values(var.job.secrets), values(var.job.secret_files)) : can(regex("^[1-9][0-9]*$", it.version))
    ])
    error_message = "A secret's version must be pinned by its number."
  }
}

variable "labels" {
  description = "Labels of the job."
  type        = map(string)
  default     = {}
}

variable "network" {
  description = "Where the job reaches the database from."
  type = object({
    network    = string
    subnetwork = string
  })
  nullable = false
}

variable "project_id" {
  description = "The project, which the scheduler's request names."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The region of the job and its schedule."
  type        = string
  nullable    = false
}

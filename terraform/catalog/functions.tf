# The one map of functions. A package in functions/ that is not in it, or an entry without a package,
# fails a test; everything else about a function follows from its line here.
variable "functions" {
  description = "What runs as a service: for each function what it needs, beyond what all of them are given."
  type = map(object({
    concurrency = optional(number, 80)
    cpu         = optional(string, "1")
    # Connections that an instance opens beside its pool; the readiness probe's own one is counted for all.
    connections_beside_pool = optional(number, 0)
    env                     = optional(map(string), {})
    memory                  = optional(string, "512Mi")
    # Whether it calls the other VokeTag services, and is told where they are.
    neighbours = optional(list(string), [])
    pool_size  = optional(number, 5)
    # Whether it publishes retries.
    publishes = optional(bool, false)
    # Names of settings that come from Secret Manager; the optional ones only where a version is pinned.
    secrets          = optional(list(string), ["JWT_PUBLIC_KEY"])
    secrets_optional = optional(list(string), ["REDIS_URL"])
    # Longer than every deadline that the gateway has for it, so that the client gets the gateway's answer and not a cut connection.
    timeout_seconds = optional(number, 15)
    # Pub/Sub pushes these topics' messages to /push/TOPIC; such a function is not behind the gateway.
    topics = optional(list(string), [])
  }))
  nullable = false

  default = {
    analytics = {}
    audit = {
      # EXPORT_SLOTS: each export has a connection of its own.
      connections_beside_pool = 2
      env                     = { EXPORT_SLOTS = "2" }
      timeout_seconds         = 260
    }
    auth = {
      # Two Argon2id hashes a core at a time, of 19 MiB each; the queue behind them is short.
      concurrency = 40
      secrets     = ["JWT_PRIVATE_KEY", "JWT_PUBLIC_KEY", "REFRESH_TOKEN_KEY"]
    }
    dashboard = {}
    retry-worker = {
      # One push holds a connection for two short statements; more at once would only press on Factory and Blockchain.
      concurrency = 10
      neighbours  = ["FACTORY", "BLOCKCHAIN"]
      pool_size   = 3
      # The shared frame reads the public key at the start, though no push carries an access token.
      secrets          = ["JWT_PUBLIC_KEY"]
      secrets_optional = ["ADMIN_INTERNAL_KEY"]
      # Above the 10 s that a neighbour has and the 10 s to note its answer, below Pub/Sub's 60 s.
      timeout_seconds = 45
      topics          = ["anchor-retry", "batch-retry", "dead-letter"]
    }
    system = {
      neighbours = ["SCAN", "FACTORY", "BLOCKCHAIN"]
      publishes  = true
      # `?wait=25` on a command, for which the gateway has 35 s.
      timeout_seconds = 45
    }
    users = {}
  }

  validation {
    condition     = alltrue([for name in keys(var.functions) : can(regex("^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$", name))])
    error_message = "A function's name must be 1 to 20 of a-z, 0-9 and -, from a letter: `admin-api-NAME` is a service account, of at most 30."
  }
  validation {
    condition     = alltrue([for f in values(var.functions) : f.timeout_seconds >= 10 && f.timeout_seconds <= 3600])
    error_message = "timeout_seconds must be 10 (a function's own deadline is 8) to 3600, which is Cloud Run's longest."
  }
  validation {
    condition     = alltrue([for f in values(var.functions) : f.concurrency >= 1 && f.concurrency <= 1000])
    error_message = "concurrency must be 1 to 1000."
  }
  validation {
    condition     = alltrue([for f in values(var.functions) : f.pool_size >= 1 && f.pool_size + f.connections_beside_pool < 100])
    error_message = "pool_size must be at least 1, and all connections of an instance below 100, which is what Cloud SQL takes from one."
  }
  validation {
    condition = alltrue([
      for f in values(var.functions) : contains(["1", "2", "4", "8"], f.cpu) && can(regex("^[0-9]+(Mi|Gi)$", f.memory))
    ])
    error_message = "cpu must be 1, 2, 4 or 8 (less allows no concurrency), memory a number of Mi or Gi."
  }
  validation {
    condition     = alltrue(flatten([for f in values(var.functions) : [for n in f.neighbours : contains(["SCAN", "FACTORY", "BLOCKCHAIN"], n)]]))
    error_message = "neighbours must be among SCAN, FACTORY and BLOCKCHAIN."
  }
}

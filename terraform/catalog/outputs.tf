output "access_tokens" {
  description = "Issuer and audience of access tokens."
  value       = local.env.access_tokens
}

output "accounts" {
  description = "E-mail addresses of the service accounts, by function, job and caller."
  value       = local.account
}

output "database_members" {
  description = "Database users by the group role each belongs to; `jobs migrate` grants it."
  value       = { for name, role in local.group_role : role => local.database_user[name] }
}

output "database_users" {
  description = "Database users by function and job, and whether each acts as the owner of the tables."
  value       = { for name, user in local.database_user : name => { name = user, as_owner = try(var.jobs[name].as_owner, false) } }
}

output "environment" {
  description = "The environment, checked and with its defaults."
  value       = local.env
}

output "functions" {
  description = "What each function's service is: ready for modules/function."
  value = {
    for name, f in var.functions : name => {
      concurrency = f.concurrency
      cpu         = f.cpu
      env = merge(
        local.common_env,
        {
          CORS_ORIGINS         = join(",", local.env.cors_origins)
          DATABASE_URL         = local.database_url[name]
          DB_POOL_SIZE_MAX     = tostring(f.pool_size)
          JWT_AUDIENCE         = local.env.access_tokens.audience
          JWT_ISSUER           = local.env.access_tokens.issuer
          REQUEST_TIMEOUT_SECS = "8"
          TRUSTED_PROXY_HOPS   = tostring(local.env.trusted_proxy_hops)
        },
        merge([for n in f.neighbours : local.neighbour_env[n]]...),
        f.publishes ? local.topic_env : {},
        length(f.topics) == 0 ? {} : {
          PUSH_OIDC_AUDIENCE        = local.url[name]
          PUSH_OIDC_SERVICE_ACCOUNT = local.account["push"]
        },
        local.straight_env,
        local.beside_env,
        f.env,
        lookup(local.env.settings, name, {}),
      )
      # API Gateway is not among what Google counts as internal, Pub/Sub is.
      ingress         = length(f.topics) == 0 ? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"
      invoker         = local.account[length(f.topics) == 0 ? "gateway" : "push"]
      max_instances   = local.scaling[name].max_instances
      memory          = f.memory
      min_instances   = local.scaling[name].min_instances
      name            = "admin-api-${name}"
      secret_files    = local.secret_files[name]
      secrets         = local.secrets[name]
      service_account = local.account[name]
      timeout_seconds = f.timeout_seconds
      url             = local.url[name]
    }
  }

  precondition {
    condition     = length(local.unpinned) == 0
    error_message = "secret_versions lacks ${join(", ", local.unpinned)}, without which a function or job does not start."
  }
}

output "jobs" {
  description = "What each job is: ready for modules/job."
  value = {
    for name, j in var.jobs : name => {
      args = name != "migrate" ? coalesce(j.args, [name]) : flatten([
        coalesce(j.args, [name]),
        [for member, role in local.group_role : ["--member", "${role}=${local.database_user[member]}"]],
      ])
      cpu = j.cpu
      env = merge(
        local.common_env,
        { DATABASE_URL = local.database_url[name] },
        j.publishes ? local.topic_env : {},
        name == "measure" ? local.straight_env : {},
        j.env,
        lookup(local.env.settings, name, {}),
      )
      memory          = j.memory
      name            = "admin-api-${name}"
      retries         = j.retries
      schedule        = j.schedule
      scheduler       = local.account["scheduler"]
      secret_files    = local.secret_files[name]
      secrets         = local.secrets[name]
      service_account = local.account[name]
      timeout_seconds = j.timeout_seconds
    }
  }
}

output "network" {
  description = "Names of the network and its subnet."
  value       = { network = "admin-api", subnetwork = "admin-api-${local.env.region}" }
}

output "publishers" {
  description = "Functions and jobs that may publish retries."
  value       = concat([for name, f in var.functions : name if f.publishes], [for name, j in var.jobs : name if j.publishes])
}

output "secret_ids" {
  description = "Secrets by the name of the setting."
  value       = local.secret_ids
}

output "secret_readers" {
  description = "Who may read which secret: NAME/SETTING => its function or job, and the secret."
  value = merge([
    for name, pinned in local.pinned : { for setting in keys(pinned) : "${name}/${setting}" => { reader = name, setting = setting } }
  ]...)
}

output "topics" {
  description = "Topics that a function is pushed, by its name."
  value = {
    for pair in flatten([for name, f in var.functions : [for topic in f.topics : { topic = topic, worker = name }]]) :
    pair.topic => pair.worker
  }
}

# The document and the map of functions must agree; else nothing is applied.
locals {
  document  = yamldecode(local.openapi)
  backends  = local.document["x-google-api-management"].backends
  functions = { for function in module.catalog.functions : function.url => function if function.ingress == "INGRESS_TRAFFIC_ALL" }
  methods   = ["delete", "get", "head", "options", "patch", "post", "put"]
  # METHOD PATH => the backend's name.
  routes = merge([
    for path, operations in local.document.paths : {
      for method, it in operations : "${upper(method)} ${path}" => it["x-google-backend"] if contains(local.methods, method)
    }
  ]...)
}

output "deadlines" {
  description = "How long the gateway waits, by backend, in seconds."
  value       = { for name, backend in local.backends : name => backend.deadline }

  precondition {
    condition     = toset([for backend in local.routes : local.backends[backend].address]) == toset(keys(local.functions))
    error_message = "A function of the map has no route in openapi.yaml, or a route no function: run `make openapi`, and see catalog/functions.tf."
  }
  precondition {
    condition = alltrue([
      for backend in local.backends : backend.deadline > 8 && backend.deadline < local.functions[backend.address].timeout_seconds
    ])
    error_message = "A backend's deadline must lie between the function's own 8 s and its service's timeout, so that the client gets an answer and not a cut connection."
  }
  precondition {
    condition = alltrue([
      for backend in local.backends : backend.jwtAudience == backend.address && backend.pathTranslation == "APPEND_PATH_TO_ADDRESS"
    ])
    error_message = "The gateway's own token must be for the function that it calls, and the path must arrive there."
  }
}

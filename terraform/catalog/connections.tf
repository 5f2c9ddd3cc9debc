# The sum that must hold: an instance has its pool, one connection for `/ready`, and what it opens beside the pool; a deploy runs
# the old and the new revision of one function side by side; a run of a job may outlast the minute until the next.
locals {
  connections_of_instance = { for name, f in var.functions : name => f.pool_size + 1 + f.connections_beside_pool }
  connections_of_function = { for name, each in local.connections_of_instance : name => each * local.scaling[name].max_instances }

  connections = {
    functions = sum(values(local.connections_of_function))
    deploy    = max(values(local.connections_of_function)...)
    jobs      = sum([for job in values(var.jobs) : job.schedule == null ? 1 : 2])
    reserved  = local.env.database.reserved_connections
    most      = local.env.database.max_connections
  }
  connections_needed = local.connections.functions + local.connections.deploy + local.connections.jobs + local.connections.reserved
}

output "connections" {
  description = "Database connections at the very most, by what takes them, and how many the server has."
  value       = local.connections

  precondition {
    condition     = local.connections_needed <= local.connections.most
    error_message = "The database has ${local.connections.most} connections, and ${local.connections_needed} may be wanted: lower max_instances or pool_size, or raise database.max_connections."
  }
}

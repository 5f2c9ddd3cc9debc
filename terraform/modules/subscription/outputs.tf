output "name" {
  description = "The subscription's name."
  value       = google_pubsub_subscription.push.name
}

output "delivery" {
  description = "How a message is delivered: to whom, as whom, how often, and where it goes after that."
  value = {
    account        = google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email
    after_attempts = one(google_pubsub_subscription.push.dead_letter_policy[*].max_delivery_attempts)
    backoff        = "${google_pubsub_subscription.push.retry_policy[0].minimum_backoff} to ${google_pubsub_subscription.push.retry_policy[0].maximum_backoff}"
    endpoint       = google_pubsub_subscription.push.push_config[0].push_endpoint
  }
}

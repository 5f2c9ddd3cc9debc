# One push subscription. Until it is acknowledged, a message is pushed again, ever later; where there is a dead-letter topic, it
# is moved there in the end.
resource "google_pubsub_subscription" "push" {
  name                 = var.subscription.name
  topic                = var.subscription.topic
  ack_deadline_seconds = var.subscription.ack_deadline_seconds
  # No two commands about one target need it, because the second is made when the first is over; and with it a message that
  # fails would hold up those behind it.
  enable_message_ordering    = false
  message_retention_duration = "${var.subscription.retention_days * 86400}s"

  # Never: an admin may retry nothing for months.
  expiration_policy {
    ttl = ""
  }

  retry_policy {
    minimum_backoff = "${var.subscription.minimum_backoff}s"
    maximum_backoff = "${var.subscription.maximum_backoff}s"
  }

  dynamic "dead_letter_policy" {
    for_each = var.subscription.dead_letters[*]

    content {
      dead_letter_topic     = dead_letter_policy.value.topic
      max_delivery_attempts = dead_letter_policy.value.after_attempts
    }
  }

  # Wrapped, because only the envelope tells the number of the attempt.
  push_config {
    push_endpoint = var.subscription.push_endpoint

    oidc_token {
      service_account_email = var.subscription.push_account
      audience              = var.subscription.audience
    }
  }
}

# To acknowledge here what it published there. Without it a message is never moved, and the subscription says nothing.
resource "google_pubsub_subscription_iam_member" "agent" {
  count = var.subscription.dead_letters == null ? 0 : 1

  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = var.agent
}

import ConnectorKit
import HubCore
import Hummingbird
import JSON
import SocialEvents

/// `/v1/accounts`: what the platforms still allow, and what it costs.
struct AccountRoutes: Sendable {
    let hub: Hub

    func add(to router: Router<BasicRequestContext>) {
        router.get("/v1/accounts") { _, _ in
            var json = JSONWriter()
            json.beginObject()
            json.key("accounts")
            json.beginArray()
            for account in hub.accountStatuses() { account.write(to: &json) }
            json.endArray()
            json.endObject()
            return Response.json(json)
        }
    }
}

extension AccountStatus {
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("name", name)
        json.member("connector", connector)
        json.key("sources")
        json.beginArray()
        for source in sources { json.string(source.name) }
        json.endArray()
        json.key("limits")
        json.beginArray()
        for limit in limits {
            json.beginObject()
            json.member("name", limit.name)
            json.member("limit", limit.limit)
            json.member("remaining", limit.remaining)
            json.member("reset_at", limit.resetAt?.description)
            json.endObject()
        }
        json.endArray()
        if let spend {
            json.key("spend")
            json.beginObject()
            json.member("today", spend.today.description)
            json.member("month", spend.month.description)
            json.member("forecast_today", spend.dayForecast.description)
            json.member("forecast_month", spend.monthForecast.description)
            json.member("budget_per_day", spend.dayBudget?.description)
            json.member("budget_per_month", spend.monthBudget?.description)
            json.endObject()
        }
        json.endObject()
    }
}

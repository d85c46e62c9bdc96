import HTTPTypes
import HubCore
import Hummingbird
import JSON

/// Says at `/healthz` that the process answers, at `/readyz` whether the hub runs and its log takes events.
struct HealthRoutes: Sendable {
    let hub: Hub

    func add(to router: Router<BasicRequestContext>) {
        router.get("/healthz") { _, _ in
            var json = JSONWriter()
            json.beginObject()
            json.member("status", "ok")
            json.endObject()
            return Response.json(json)
        }
        router.get("/readyz") { _, _ in
            let readiness = hub.readiness
            var json = JSONWriter()
            json.beginObject()
            json.member("status", readiness.isReady ? "ready" : "not ready")
            json.member("phase", hub.phase.rawValue)
            if !readiness.reasons.isEmpty {
                json.key("reasons")
                json.beginArray()
                for reason in readiness.reasons { json.string(reason) }
                json.endArray()
            }
            json.endObject()
            return Response.json(json, status: readiness.isReady ? .ok : .serviceUnavailable)
        }
    }
}

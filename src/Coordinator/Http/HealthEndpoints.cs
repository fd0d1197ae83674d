using Federated.Coordinator.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>Liveness, readiness, metrics. None needs a credential; none tells more than counts, and which runs' store fails and how.</summary>
internal sealed class HealthEndpoints(CoordinatorService service, PrometheusText prometheus)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/healthz", c => c.Response.WriteAsync("ok\n", c.RequestAborted)).WithMetadata(Access.Anybody, new Says("Alive."));
        routes.MapGet("/readyz", ReadyAsync).WithMetadata(Access.Anybody, new Says("Ready: every run that can be read is open; otherwise which is not, and why."));
        routes.MapGet("/metrics", MetricsAsync).WithMetadata(Access.Anybody, new Says("Metrics, Prometheus text."));
    }

    private Task ReadyAsync(HttpContext context)
    {
        if (!service.IsReady)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return context.Response.WriteAsync(service.Draining.IsCancellationRequested ? "stopping\n" : "loading runs\n", context.RequestAborted);
        }

        var problem = service.Registry!.NotReady;
        context.Response.StatusCode = problem.Length == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return context.Response.WriteAsync(problem.Length == 0 ? "ready\n" : $"{problem}\n", context.RequestAborted);
    }

    private Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(prometheus.Render(), context.RequestAborted);
    }
}

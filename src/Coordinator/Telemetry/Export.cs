using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Federated.Coordinator.Telemetry;

/// <summary>Sends traces and metrics to an OpenTelemetry collector.</summary>
internal sealed class Export : IAsyncDisposable
{
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private readonly TracerProvider traces;
    private readonly MeterProvider metrics;

    /// <param name="endpoint">Empty for what the environment says, by OpenTelemetry's own variables.</param>
    /// <param name="instance">Names this process among others.</param>
    /// <param name="meters">Beside the coordinator's own.</param>
    public Export(string endpoint, string instance, IReadOnlyList<string> meters)
    {
        void Configure(OtlpExporterOptions options)
        {
            if (endpoint.Length > 0)
            {
                options.Endpoint = new Uri(endpoint);
            }
        }

        var resource = ResourceBuilder.CreateDefault().AddService("federated-coordinator", serviceInstanceId: instance);
        traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Tracing.SourceName).AddOtlpExporter(Configure).Build();
        metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter([CoordinatorMetrics.MeterName, .. meters]).AddOtlpExporter(Configure).Build();
    }

    /// <summary>Whether anybody asked for it.</summary>
    public static bool IsWanted(string endpoint) => endpoint.Length > 0 || Environment.GetEnvironmentVariable(EndpointVariable) is { Length: > 0 };

    public ValueTask DisposeAsync()
    {
        traces.Dispose();
        metrics.Dispose();
        return ValueTask.CompletedTask;
    }
}

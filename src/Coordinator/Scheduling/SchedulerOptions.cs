using System.Text.Json.Serialization;

namespace Federated.Coordinator.Scheduling;

/// <summary>Which scheduler a run has, and its settings; <c>kind</c> names it in configuration.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SynchronousOptions), Schedulers.Synchronous)]
[JsonDerivedType(typeof(BufferedOptions), Schedulers.Buffered)]
public abstract record SchedulerOptions;

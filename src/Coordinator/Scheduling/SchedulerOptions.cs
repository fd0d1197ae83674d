using System.Text.Json.Serialization;

namespace Federated.Coordinator.Scheduling;

/// <summary>Which scheduler a run has, and its settings; <c>kind</c> names it in configuration.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(SynchronousOptions), Schedulers.Synchronous)]
[JsonDerivedType(typeof(PoissonOptions), Schedulers.Poisson)]
[JsonDerivedType(typeof(BufferedOptions), Schedulers.Buffered)]
[JsonDerivedType(typeof(ImmediateOptions), Schedulers.Immediate)]
[JsonDerivedType(typeof(CompassOptions), Schedulers.Compass)]
[JsonDerivedType(typeof(FixedWindowOptions), Schedulers.FixedWindow)]
[JsonDerivedType(typeof(AnarchicOptions), Schedulers.Anarchic)]
public abstract record SchedulerOptions;

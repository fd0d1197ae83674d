using Xunit.Abstractions;
using Xunit.Sdk;

namespace Federated.Coordinator.Tests.Storage;

/// <summary>A test of a conformance class: skipped for the classes that need a PostgreSQL server where none is installed.</summary>
[XunitTestCaseDiscoverer("Federated.Coordinator.Tests.Storage.ConformanceDiscoverer", "Federated.Coordinator.Tests")]
[AttributeUsage(AttributeTargets.Method)]
public sealed class ConformanceFactAttribute : FactAttribute;

/// <summary>Says of a test class that it needs a PostgreSQL server.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsPostgresAttribute : Attribute;

public sealed class ConformanceDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        [new ConformanceCase(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
}

public sealed class ConformanceCase : XunitTestCase
{
    [Obsolete("For deserialisation.")]
    public ConformanceCase()
    {
    }

    public ConformanceCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(messages, display, options, method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        PostgresServer.Programs is null && TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsPostgresAttribute).AssemblyQualifiedName!).Any()
            ? PostgresServer.Missing
            : base.GetSkipReason(factAttribute);
}

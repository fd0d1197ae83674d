namespace Federated.EndToEnd.Interoperability;

/// <summary>A theory that needs python3 (standard library only); skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PythonTheoryAttribute : TheoryAttribute
{
    public PythonTheoryAttribute() => Skip = new PythonFactAttribute().Skip;
}

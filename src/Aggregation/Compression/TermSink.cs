using System.Numerics;
using Federated.Aggregation.Averaging;

namespace Federated.Aggregation.Compression;

/// <summary>Begins a term of a sum.</summary>
internal delegate SumTerm<T> TermStart<T>()
    where T : unmanaged, IBinaryFloatingPointIeee754<T>;

/// <summary>Adds a decoded update to a sum. The term begins with the first piece, so that a refused message has not touched the sum.</summary>
internal ref struct TermSink<T>(TermStart<T> start) : IUpdateSink<T>
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private SumTerm<T> term;
    private bool hasBegun;

    public void AddBlock(int offset, scoped ReadOnlySpan<T> values)
    {
        Begin();
        term.AddBlock(offset, values);
    }

    public void AddSparse(scoped ReadOnlySpan<int> indices, scoped ReadOnlySpan<T> values)
    {
        Begin();
        term.AddSparse(indices, values);
    }

    /// <summary>Ends the update: it now counts in the sum.</summary>
    public void Complete()
    {
        Begin();
        term.Complete();
    }

    private void Begin()
    {
        if (!hasBegun)
        {
            term = start();
            hasBegun = true;
        }
    }
}

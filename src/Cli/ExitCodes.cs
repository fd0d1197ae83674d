namespace Federated.Cli;

/// <summary>What the process returns; scripts rely on these, see docs/exit-codes.md.</summary>
public static class ExitCodes
{
    /// <summary>Done, as asked.</summary>
    public const int Success = 0;

    /// <summary>A defect of this program; the message asks to report it.</summary>
    public const int Defect = 1;

    /// <summary>The command line or the configuration is not right; nothing was computed or written.</summary>
    public const int Usage = 2;

    /// <summary>Data are missing, damaged, or cannot be split as asked; nothing was computed or written.</summary>
    public const int Data = 3;

    /// <summary>The run started and did not end well: it diverged, stalled or broke; or an audit refuted a claim. The results folder holds what there is.</summary>
    public const int RunFailed = 4;

    /// <summary>The machine is in the way: a folder cannot be written, the disk is full, the network is not there.</summary>
    public const int Environment = 5;

    /// <summary>Interrupted by the user; what there was until then is kept.</summary>
    public const int Interrupted = 130;
}

using Federated.Cli;

using var terminal = Terminal.OfProcess();
return await CommandLine.InvokeAsync(args, terminal);

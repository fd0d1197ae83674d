using Federated.Simulation.Configuration.Binding;

namespace Federated.Simulation.Configuration;

/// <summary>Loads a YAML file into options, strictly.</summary>
public static class ConfigurationFile
{
    /// <summary>Largest file read; a configuration is written by people.</summary>
    private const long MaxBytes = 16 << 20;

    /// <param name="path">The file, as errors will name it.</param>
    /// <param name="sets">Overrides of the form <c>key.key=value</c>, applied in order.</param>
    public static ConfigResult<T> Load<T>(string path, params IEnumerable<string> sets)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(path);
        string text;
        try
        {
            if (Directory.Exists(path))
            {
                return Failed<T>(path, "this is a folder; name a YAML file in it.");
            }

            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes } file)
            {
                return Failed<T>(path, $"has {file.Length} bytes; a configuration has at most {MaxBytes}.");
            }

            text = File.ReadAllText(path);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return Failed<T>(path, "there is no such file.");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Failed<T>(path, $"cannot be read: {problem.Message}");
        }

        return Read<T>(text, path, sets);
    }

    /// <summary>As <see cref="Load{T}"/>, from text.</summary>
    public static ConfigResult<T> Read<T>(string text, string source, params IEnumerable<string> sets)
        where T : class
    {
        var overrides = sets.Select(ConfigOverride.Parse).ToList();
        var node = YamlConfigReader.Read(text, source);
        var errors = (node.IsValid ? [] : node.Errors).Concat(overrides.Where(o => !o.IsValid).SelectMany(o => o.Errors)).ToList();
        return errors.Count > 0 ? ConfigResult<T>.Failed(errors) : ConfigBinder.Bind<T>(node.Value!, overrides.Select(o => o.Value!));
    }

    private static ConfigResult<T> Failed<T>(string path, string message)
        where T : class => ConfigResult<T>.Failed(new ConfigError(new SourceLocation(path, 0, 0), "", message));
}

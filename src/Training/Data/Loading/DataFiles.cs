namespace Federated.Training.Data.Loading;

/// <summary>Opens files of data sets with errors that a person can act on.</summary>
internal static class DataFiles
{
    public static FileStream OpenRead(string path, int bufferSize = 64 * 1024)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new TrainingException($"{path}: there is no such file. Give the folder that holds the data (--data-dir), or get the set first (fed data get).", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new TrainingException(
                Directory.Exists(path) ? $"{path}: a file was needed, this is a folder." : $"{path}: this account may not read the file.", e);
        }
        catch (IOException e)
        {
            throw new TrainingException($"{path}: the file cannot be read: {e.Message}", e);
        }
    }
}

using Microsoft.Extensions.Options;

namespace OrleansSessions.Storage.Sqlite;

internal sealed class SqliteStorageOptionsValidator : IValidateOptions<SqliteStorageOptions>
{
    private static readonly TimeSpan LongestExpiry = TimeSpan.FromDays(10_000);

    public ValidateOptionsResult Validate(string? name, SqliteStorageOptions options)
    {
        var errors = new List<string>();
        if (string.IsNullOrWhiteSpace(options.Path))
        {
            errors.Add($"SQLite storage '{name}': {nameof(SqliteStorageOptions)}.{nameof(options.Path)} is '{options.Path}'; it must name a file.");
        }

        if (options.EntryExpiry is { } expiry && (expiry <= TimeSpan.Zero || expiry > LongestExpiry))
        {
            errors.Add(
                $"SQLite storage '{name}': {nameof(SqliteStorageOptions)}.{nameof(options.EntryExpiry)} is {expiry}; "
                + $"it must be more than zero and at most {LongestExpiry}, or null.");
        }

        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }
}

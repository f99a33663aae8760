using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Servers to use first, as <c>-c</c> and <c>Client.PreferredCaches</c> name them; a last <c>+</c> adds the director's.</summary>
internal static class CacheList
{
    /// <summary>Reads the value of <c>-c</c>.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static IReadOnlyList<string> Parse(string text)
    {
        string[] items = text.Split(',', StringSplitOptions.TrimEntries);
        return Fault(items) is { } fault
            ? throw new PelicanException(Errors.Parameter, $"--cache '{text}': {fault}",
                "Write --cache cache-a.example.org:8443,cache-b.example.org:8443,+")
            : items;
    }

    /// <summary>Takes it from the configuration.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Configuration"/>.</exception>
    public static IReadOnlyList<string> Of(SettingValue value) =>
        Fault(value.List) is { } fault
            ? throw new PelicanException(Errors.Configuration, $"{value.Where}: {value.Name}: {fault}")
            : value.List;

    private static string? Fault(IReadOnlyList<string> items)
    {
        for (int i = 0; i < items.Count; i++)
        {
            string item = items[i];
            if (item.Length == 0)
            {
                return "an item of the list is empty";
            }

            if (item == "+" && i < items.Count - 1)
            {
                return "the special character '+' must be the last item in the list of preferred servers";
            }

            if (item != "+" && !IsServer(item))
            {
                return $"'{item}' is not the host[:port] or URL of a server";
            }
        }

        return null;
    }

    private static bool IsServer(string item) =>
        Uri.TryCreate(item.Contains("://", StringComparison.Ordinal) ? item : "https://" + item, UriKind.Absolute, out Uri? uri)
        && uri.Scheme is "https" or "http" && uri.Host.Length > 0 && uri.UserInfo.Length == 0;
}

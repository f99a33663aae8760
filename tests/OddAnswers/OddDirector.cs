using System.Text;
using System.Text.Json.Nodes;
using Pelican.Federation;

namespace Pelican.Tests.OddAnswers;

/// <summary>What a director and the discovery document say, in other words.</summary>
internal static class OddDirector
{
    /// <summary>The servers in other words, with some that are none.</summary>
    public static void ChangeLinks(Reply reply, Random random)
    {
        string link = reply.Headers["Link"]!;
        reply.Headers["Link"] = OddReply.Some(random,
            null,
            link.Replace("; ", ";", StringComparison.Ordinal),
            link.Replace("rel=\"duplicate\"", "rel=duplicate", StringComparison.Ordinal),
            link.Replace("pri=", "type=\"a;b,c\"; pri=", StringComparison.Ordinal),
            "<https://never.invalid/>; rel=\"help\", " + link,
            "<>; rel=\"duplicate\"; pri=0, " + link,
            link + ", <relative/path>; rel=duplicate; pri=9",
            "<https://localhost:1/x>; rel=\"duplicate\"; pri=0, " + link,
            string.Join(", ", link.Split(", ").Reverse()),
            link.Replace("https://", "http://", StringComparison.Ordinal),
            link.Replace("pri=1", "pri=99999999999999", StringComparison.Ordinal),
            link.Replace("depth=", "depth=-", StringComparison.Ordinal));
    }

    /// <summary>The namespace in other words, or without them.</summary>
    public static void ChangeNamespace(Reply reply, Random random)
    {
        string told = reply.Headers["X-Pelican-Namespace"]!;
        reply.Headers["X-Pelican-Namespace"] = OddReply.Some(random,
            null,
            told.Replace(", ", ",", StringComparison.Ordinal),
            string.Join(", ", told.Split(", ").Reverse()),
            told + ", future=yes",
            told.Split(", collections-url")[0],
            told + "/",
            told.Replace("=", "", StringComparison.Ordinal),
            told.Replace("require-token", "Require-Token", StringComparison.Ordinal));
    }

    /// <summary>Who signs the tokens, in other words.</summary>
    public static void ChangeIssuers(Reply reply, Random random)
    {
        string name = OddReply.Some(random, "X-Pelican-Authorization", "X-Pelican-Token-Generation");
        string told = reply.Headers[name] ?? "";
        reply.Headers[name] = OddReply.Some(random, null, "", told.Replace("issuer=", "Issuer = ", StringComparison.Ordinal), told + ", " + told, "issuer=", told + ", max-scope-depth=x", "=,=,");
    }

    /// <summary>The first server in other words, or not at all: <c>Link</c> has it too.</summary>
    public static void ChangeLocation(Reply reply, Random random) =>
        reply.Headers["Location"] = OddReply.Some(random, null, "", "/nowhere", "https://localhost:1/x", "http://", reply.Headers["Location"] + "#part", " " + reply.Headers["Location"] + " ");

    /// <summary>The discovery document in other words (RFC 8259).</summary>
    public static void ChangeDocument(Reply reply, Random random)
    {
        string text = Encoding.UTF8.GetString(OddReply.Take(reply)).TrimStart('\uFEFF');
        if (!text.StartsWith('{') || !text.EndsWith('}') || text.Split("director_endpoint").Length > 2)
        {
            // Changed before.
            reply.SetBody(Encoding.UTF8.GetBytes(text));
            return;
        }

        JsonObject document = JsonNode.Parse(text)!.AsObject();
        string at = document["director_endpoint"]?.GetValue<string>() ?? "";
        switch (random.Next(10))
        {
            case 0:
                document["director_endpoint"] = at + OddReply.Some(random, "/", "//", "/?", "#x");
                break;
            case 1:
                document["director_endpoint"] = OddReply.Some<JsonNode?>(random, null, 7, "", "not a url", new JsonArray(at), "ftp://localhost/");
                break;
            case 2:
                document["future"] = new JsonObject { ["a"] = new JsonArray(1, null, "x"), ["b"] = 1e300 };
                break;
            case 3:
                document["discovery_endpoint"] = OddReply.Some<JsonNode?>(random, null, 7, "https://localhost:1/");
                break;
            case 4:
                document.Remove("jwks_uri");
                break;
            default:
                break;
        }

        text = document.ToJsonString();
        text = OddReply.Some(random, text, "\r\n " + text.Replace(",", " ,\n\t", StringComparison.Ordinal) + "\n\n", "{\"director_endpoint\":\"\"," + text[1..], text.Replace("d", "\\u0064", StringComparison.Ordinal), "[" + text + "]", text[..^1]);
        reply.SetBody(OddReply.Some(random, Encoding.UTF8.GetBytes(text), [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)]));
        reply.Headers["Content-Type"] = OddReply.Some(random, "application/json", "text/plain", "application/json; charset=UTF-8", null);
    }
}

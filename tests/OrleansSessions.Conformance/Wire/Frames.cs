using System.Text.Json.Nodes;

namespace OrleansSessions.Conformance.Wire;

/// <summary>Frames of a client, from section 4.</summary>
internal static class Frames
{
    /// <param name="id">The id, or null for a question without one.</param>
    public static string Question(string? id, string question, string? ifBusy = null)
    {
        var frame = new JsonObject { ["type"] = "question" };
        if (id is not null)
        {
            frame["id"] = id;
        }

        frame["question"] = question;
        if (ifBusy is not null)
        {
            frame["if_busy"] = ifBusy;
        }

        return frame.ToJsonString();
    }

    /// <param name="id">The question, or null for the running one.</param>
    public static string Cancel(string? id) =>
        id is null ? """{"type":"cancel"}""" : new JsonObject { ["type"] = "cancel", ["question_id"] = id }.ToJsonString();
}
